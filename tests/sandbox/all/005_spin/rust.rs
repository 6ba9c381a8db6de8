// SPDX-License-Identifier: MIT
fn main() {
    loop {
        std::hint::spin_loop();
    }
}
