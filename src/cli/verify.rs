#[allow(dead_code)]
mod account;
