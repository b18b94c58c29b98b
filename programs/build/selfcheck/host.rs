//! The answers of the sample as the host gives them: one line for each "PART SEED" that is read.
extern crate alloc;
mod sample;

fn main() {
    for line in std::io::stdin().lines() {
        let numbers: Vec<u64> = line.unwrap().split(' ').map(|word| word.parse().unwrap()).collect();
        println!("{}", sample::run(numbers[0] as u8, numbers[1]));
    }
}
