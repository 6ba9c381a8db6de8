// SPDX-License-Identifier: MIT
// row: 28 compile_leak
// expect: compile_failed
// stderr: couldn't read
// layer: root, landlock, identity
fn main() {
    print!("{}", include_str!("@CANARY@"));
    print!("{}", include_str!("/etc/shadow"));
}
