// SPDX-License-Identifier: MIT
// stderr: StackOverflowError
object Deep extends App {
  def deeper(depth: Long): Long = deeper(depth + 1) + 1
  println(deeper(0) + "came back")
}
