import signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's & has ignored
