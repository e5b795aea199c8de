"""Static word vectors: train them on any text, ask them, measure them, put them to work."""
