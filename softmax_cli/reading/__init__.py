"""A source of logits becomes batches of samples: one file a format."""
