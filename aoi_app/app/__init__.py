"""The program with its window: the composition root and its controllers."""
