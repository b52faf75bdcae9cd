import gc
import os
import signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's & has ignored
gc.set_threshold(100_000)  # as the program has it
os.environ["OMP_NUM_THREADS"] = "1"  # the workers take the cores: more threads wait for each other
