//! Log entries and metrics: each event declared once.
