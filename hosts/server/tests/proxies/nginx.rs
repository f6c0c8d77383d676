//! nginx. NOT WRITTEN YET.
