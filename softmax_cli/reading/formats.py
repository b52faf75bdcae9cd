"""The input formats. A new one is a new file and a line here."""

# Where each format's function (BufferedReader, name, InputOptions) -> Logits is.
READERS = {
    "csv": "softmax_cli.reading.delimited:read_csv",
    "tsv": "softmax_cli.reading.delimited:read_tsv",
    "json": "softmax_cli.reading.json_text:read_json",
    "jsonl": "softmax_cli.reading.json_lines:read_jsonl",
    "npy": "softmax_cli.reading.npy:read_npy",
    "parquet": "softmax_cli.reading.parquet:read_parquet",
}
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".npy": "npy",
    ".parquet": "parquet",
}
