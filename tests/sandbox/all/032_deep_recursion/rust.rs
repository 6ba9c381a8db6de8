// SPDX-License-Identifier: MIT
// expect: killed_by_signal
// signal: 6
// signal: 6
// stderr: has overflowed its stack
fn deeper(depth: u64) -> u64 {
    let here = [depth; 64];
    deeper(depth + 1) + unsafe { std::ptr::read_volatile(&here[3]) }
}

fn main() {
    println!("{} came back", deeper(0));
}
