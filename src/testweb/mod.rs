//! A simulated web on loopback, made from a seed number.
