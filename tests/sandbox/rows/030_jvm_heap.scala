/* SPDX-License-Identifier: MIT
 * row: 30 jvm_heap
 * expect: failed
 * stderr: java\.lang\.OutOfMemoryError
 * limits: timeout=30s
 * alone: yes
 * layer: supervisor
 */
object Heap extends App {
  val hoard = scala.collection.mutable.ArrayBuffer[Array[Byte]]()
  while (hoard.size < 16384) hoard += Array.fill[Byte](1 << 20)(1)
  println("ESCAPED 16 GiB")
}
