// SPDX-License-Identifier: MIT
// limits: timeout=60s cpu-time=60s memory=512M processes=128
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

func check(holds bool, what string) {
	if !holds {
		fmt.Println("does not work:", what)
		os.Exit(1)
	}
}

func exchange() string {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	check(err == nil, "listen")
	go func() {
		conn, _ := server.Accept()
		conn.Write([]byte("hello"))
		conn.Close()
	}()
	conn, err := net.Dial("tcp", server.Addr().String())
	check(err == nil, "dial")
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

func main() {
	var group sync.WaitGroup
	var mutex sync.Mutex
	counter := 0
	for i := 0; i < 1000; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			time.Sleep(time.Millisecond)
			mutex.Lock()
			counter++
			mutex.Unlock()
		}()
	}
	group.Wait()
	check(counter == 1000, "goroutines")
	output, err := exec.Command("/bin/echo", "hi").Output()
	check(err == nil && string(output) == "hi\n", "process")
	check(exchange() == "hello", "socket")
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	check(<-signals == syscall.SIGUSR1, "signal")
	check(os.WriteFile("file", []byte("text"), 0o644) == nil, "file")
	for i := 0; i < 100000; i++ {
		_ = make([]byte, 1000)
	}
	runtime.GC()
	check(runtime.NumCPU() >= 1, "processors")
	fmt.Println("threads, processes, collector, sockets: work")
}
