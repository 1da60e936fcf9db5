//! The HTTP operations: router, authentication, one file an operation, faults.
