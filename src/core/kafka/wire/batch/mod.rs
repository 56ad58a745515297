//! Record batches, as they travel and as they lie on disk: message format 2. Knows nothing of connections.
