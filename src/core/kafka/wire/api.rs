//! Which requests and which of their versions the client speaks. Knows nothing of connections.
