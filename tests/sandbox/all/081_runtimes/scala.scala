// SPDX-License-Identifier: MIT
// limits: timeout=60s cpu-time=60s memory=512M processes=128
import java.net.{InetAddress, ServerSocket, Socket}
import java.nio.file.{Files, Paths}
import scala.concurrent.ExecutionContext.Implicits.global
import scala.concurrent.duration._
import scala.concurrent.{Await, Future}
import scala.sys.process._

object Runtimes {
  def exchange(): String = {
    val server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))
    Future {
      val peer = server.accept()
      peer.getOutputStream.write("hello".getBytes)
      peer.close()
    }
    scala.io.Source.fromInputStream(new Socket("127.0.0.1", server.getLocalPort).getInputStream).mkString
  }

  def main(args: Array[String]): Unit = {
    assert(Await.result(Future.sequence((1 to 8).map(n => Future(n * n))), 20.seconds).sum == 204)
    assert((1 to 1000).toList.map(_ * 2).sum == 1001000)
    assert(Seq("/bin/echo", "hi").!! == "hi\n")
    assert(exchange() == "hello")
    Files.write(Paths.get("file"), "text".getBytes)
    assert(Files.size(Paths.get("file")) == 4)
    System.gc()
    println("threads, processes, collector, sockets: work")
  }
}
