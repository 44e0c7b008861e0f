"""DeepLabCut's TensorFlow engine."""
