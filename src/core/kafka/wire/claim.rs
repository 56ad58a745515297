//! What a response claims to hold, checked before any of it is decoded. Knows nothing of what it means.
