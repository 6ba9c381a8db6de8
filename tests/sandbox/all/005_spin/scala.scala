// SPDX-License-Identifier: MIT
object Spin extends App {
  while (true) Thread.onSpinWait()
}
