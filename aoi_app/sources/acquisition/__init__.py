"""The process that reads a camera, and the ring of shared memory that its lines come through."""
