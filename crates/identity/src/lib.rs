//! How a caller proves who it is: SigV4 and X.509.
