"""Finished networks of others, run by TensorFlow's own TFLite interpreter."""
