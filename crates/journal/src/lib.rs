//! Memory: what was said and done, in a hash-chained log that nobody can change unseen.
