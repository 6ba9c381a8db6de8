// SPDX-License-Identifier: MIT
// expect: failed
// stderr: java\.lang\.OutOfMemoryError
object Hog extends App {
  val hoard = scala.collection.mutable.ArrayBuffer[Array[Byte]]()
  while (hoard.size < (1 << 14)) hoard += new Array[Byte](1 << 20)
  println("ran out of ideas")
}
