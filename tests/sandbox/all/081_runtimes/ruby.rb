# SPDX-License-Identifier: MIT
require "open3"
require "socket"
require "tempfile"

def check(holds, what)
  raise what unless holds
end

check(Array.new(8) { |i| Thread.new { i * i } }.sum(&:value) == 140, "threads")
check(`echo hi` == "hi\n", "shell")
check(Open3.capture2("cat", stdin_data: "piped").first == "piped", "pipe")
child = fork { exit! 7 }
check(Process.wait2(child).last.exitstatus == 7, "fork")
server = TCPServer.new("127.0.0.1", 0)
answer = Thread.new { server.accept.then { |peer| peer.write("hello"); peer.close } }
check(TCPSocket.new("127.0.0.1", server.addr[1]).read == "hello", "socket")
answer.join
check(Fiber.new { 42 }.resume == 42, "fiber")
Tempfile.create("run") { |file| file.write("text"); file.flush; check(File.size(file) == 4, "file") }
300_000.times { |i| "garbage #{i}" }
GC.start
Signal.trap("USR1") { $caught = true }
Process.kill("USR1", Process.pid)
sleep 0.05
check($caught, "signal")
puts "threads, processes, collector, sockets: work"
