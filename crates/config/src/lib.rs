//! Layers of settings with provenance: where each value came from, and errors that point at the line.
