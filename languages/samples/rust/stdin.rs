use std::io::{self, Write};

fn main() {
    println!("Hello, World!");
    print!("Enter your name: ");
    io::stdout().flush().unwrap();
    let mut name = String::new();
    io::stdin().read_line(&mut name).unwrap();
    println!("Hello, {}!", name.trim());
    let sum: u32 = (1..=10).sum();
    println!("Sum of numbers from 1 to 10: {}", sum);
}
