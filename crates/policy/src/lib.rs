//! AWS policy documents: parse, compile, evaluate and explain.
