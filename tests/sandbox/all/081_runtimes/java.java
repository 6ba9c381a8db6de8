// SPDX-License-Identifier: MIT
// limits: timeout=60s cpu-time=60s memory=512M processes=128
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

public class Runtimes {
    static void check(boolean holds, String what) {
        if (!holds)
            throw new IllegalStateException(what);
    }

    static String exchange() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Thread answer = new Thread(() -> {
                try (Socket socket = server.accept()) {
                    socket.getOutputStream().write("hello".getBytes());
                } catch (java.io.IOException error) {
                    throw new IllegalStateException(error);
                }
            });
            answer.start();
            try (Socket socket = new Socket("127.0.0.1", server.getLocalPort())) {
                return new String(socket.getInputStream().readAllBytes());
            }
        }
    }

    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        Future<Integer> future = pool.submit(() -> 6 * 7);
        check(future.get() == 42, "pool");
        pool.shutdown();
        check(IntStream.range(0, 1000).parallel().sum() == 499500, "parallel");
        Process child = new ProcessBuilder("/bin/echo", "hi").start();
        check(new String(child.getInputStream().readAllBytes()).equals("hi\n"), "process");
        check(child.waitFor() == 0, "wait");
        check(exchange().equals("hello"), "socket");
        Path file = Files.createTempFile("run", "time");
        Files.writeString(file, "text");
        check(Files.readString(file).equals("text"), "file");
        long garbage = 0;
        for (int i = 0; i < 3_000_000; i++)
            garbage += new int[16].length;
        System.gc();
        check(garbage == 48_000_000, "garbage");
        check(Runtime.getRuntime().availableProcessors() >= 1, "processors");
        System.out.println("threads, processes, collector, sockets: work");
    }
}
