fn main() {
    for (index, argument) in std::env::args().skip(1).enumerate() {
        println!("Arg {}: {}", index, argument);
    }
}
