// SPDX-License-Identifier: MIT
// limits: timeout=60s cpu-time=60s memory=512M processes=128
using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

class Runtimes
{
    static void Check(bool holds, string what)
    {
        if (!holds)
            throw new Exception(what);
    }

    static string Exchange()
    {
        var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        Task.Run(() =>
        {
            using (var peer = server.AcceptTcpClient())
            using (var writer = new StreamWriter(peer.GetStream()))
                writer.Write("hello");
        });
        using (var client = new TcpClient())
        {
            client.Connect((IPEndPoint)server.LocalEndpoint);
            using (var reader = new StreamReader(client.GetStream()))
                return reader.ReadToEnd();
        }
    }

    static void Main()
    {
        int counter = 0;
        var threads = Enumerable.Range(0, 8)
            .Select(i => new Thread(() => Interlocked.Increment(ref counter))).ToList();
        threads.ForEach(one => one.Start());
        threads.ForEach(one => one.Join());
        Check(counter == 8, "threads");
        Check(Task.Run(() => 42).Result == 42, "task");
        var child = Process.Start(new ProcessStartInfo("/bin/echo", "hi")
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        });
        Check(child.StandardOutput.ReadToEnd() == "hi\n", "process");
        child.WaitForExit();
        Check(Exchange() == "hello", "socket");
        File.WriteAllText("file", "text");
        Check(new FileInfo("file").Length == 4, "file");
        for (int i = 0; i < 300000; i++)
            GC.KeepAlive(new byte[100]);
        GC.Collect();
        Console.WriteLine("threads, processes, collector, sockets: work");
    }
}
