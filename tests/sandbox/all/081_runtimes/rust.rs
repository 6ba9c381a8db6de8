// SPDX-License-Identifier: MIT
// stdout: ^threads, processes, sockets: work; none in this language: collector$
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{mpsc, Arc, Mutex};
use std::{fs, panic, thread};

fn exchange() -> std::io::Result<String> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let address = server.local_addr()?;
    let answer = thread::spawn(move || server.accept().unwrap().0.write_all(b"hello"));
    let mut text = String::new();
    TcpStream::connect(address)?.read_to_string(&mut text)?;
    answer.join().unwrap()?;
    Ok(text)
}

fn main() {
    let counter = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let counter = Arc::clone(&counter);
            thread::spawn(move || *counter.lock().unwrap() += 1)
        })
        .collect();
    threads.into_iter().for_each(|one| one.join().unwrap());
    assert_eq!(*counter.lock().unwrap(), 8);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(42));
    assert_eq!(receiver.recv(), Ok(42));
    let output = Command::new("/bin/echo").arg("hi").output().unwrap();
    assert_eq!(output.stdout, b"hi\n");
    assert_eq!(exchange().unwrap(), "hello");
    fs::write("file", "text").unwrap();
    assert_eq!(fs::metadata("file").unwrap().len(), 4);
    assert!(panic::catch_unwind(|| panic!("on purpose")).is_err());
    println!("threads, processes, sockets: work; none in this language: collector");
}
