"""unecho: news, once. The pipeline decides; flows fetch and store."""
