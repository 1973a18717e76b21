"""What tests share: an independent judge of the rewriting, its vectors and strategies, processes, labs."""
