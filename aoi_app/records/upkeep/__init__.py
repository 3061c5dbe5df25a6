"""What is done with rolls that are recorded already: gone on with after a crash, and relieved of old pictures."""
