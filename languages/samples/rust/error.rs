fn main() {
    let number: i32 = "three";
    println!("{}", number);
}
