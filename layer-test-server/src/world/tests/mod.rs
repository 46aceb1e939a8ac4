//! The model by itself, without any network.
