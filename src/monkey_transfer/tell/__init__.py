"""What readers get: the answer page, chapters, tables and the words in them."""
