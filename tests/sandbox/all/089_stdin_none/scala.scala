// SPDX-License-Identifier: MIT
object Input extends App {
  if (scala.io.StdIn.readLine() == null) println("end of input")
}
