// SPDX-License-Identifier: MIT
fn main() {
    let mut line = String::new();
    if let Ok(0) = std::io::stdin().read_line(&mut line) {
        println!("end of input");
    }
}
