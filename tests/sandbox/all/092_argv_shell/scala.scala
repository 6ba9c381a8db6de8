// SPDX-License-Identifier: MIT
object Arguments {
  def main(args: Array[String]): Unit = args.foreach(argument => println("[" + argument + "]"))
}
