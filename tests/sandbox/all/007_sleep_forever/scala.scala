// SPDX-License-Identifier: MIT
object Sleep extends App {
  Thread.sleep(1000000000L)
}
