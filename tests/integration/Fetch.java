// SPDX-License-Identifier: Apache-2.0
// A client that reads no proxy variable: run as `java Fetch.java URL`.
import java.io.InputStream;
import java.net.URL;

public class Fetch {
	public static void main(String[] args) throws Exception {
		try (InputStream in = new URL(args[0]).openStream()) {
			System.out.write(in.readAllBytes());
			System.out.flush();
		}
	}
}
