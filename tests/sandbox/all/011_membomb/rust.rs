// SPDX-License-Identifier: MIT
fn main() {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    while hoard.len() < 1 << 14 {
        hoard.push(vec![1; 1 << 20]);
    }
    println!("ran out of ideas");
}
