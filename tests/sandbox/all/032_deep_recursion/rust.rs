// SPDX-License-Identifier: MIT
// expect: killed_by_signal
// signal: 6
// stderr: has overflowed its stack
fn deeper(depth: u64) -> u64 {
    let here = std::hint::black_box([depth; 64]);
    deeper(depth + 1) + here[3]
}

fn main() {
    println!("{} came back", deeper(0));
}
