import scala.io.StdIn

object Main extends App {
  println("Hello, World!")
  print("Enter your name: ")
  val name = StdIn.readLine()
  println(s"Hello, $name!")
  println(s"Sum of numbers from 1 to 10: ${(1 to 10).sum}")
}
