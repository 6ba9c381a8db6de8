// SPDX-License-Identifier: MIT
object Hog extends App {
  val hoard = scala.collection.mutable.ArrayBuffer[Array[Byte]]()
  while (hoard.size < (1 << 14)) hoard += new Array[Byte](1 << 20)
  println("ran out of ideas")
}
