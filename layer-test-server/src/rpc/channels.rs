//! Stub.
super::routes! {}
