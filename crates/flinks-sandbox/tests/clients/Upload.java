// The Upload guide's flow by Java 17, against the sandbox: two files, analysis, accounts.

import java.io.FileInputStream;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

class Upload {
  static HttpClient client;

  public static void main(String[] arguments) throws Exception {
    client = HttpClient.newBuilder().sslContext(mutualTls()).connectTimeout(Duration.ofSeconds(20)).build();
    String upload = env("UPLOAD_URL") + "/api/v1/";
    String form = "application/x-www-form-urlencoded";
    String basic = "Basic " + base64(env("CLIENT_ID") + ":" + env("CLIENT_SECRET"));
    String answer =
        call(upload + "token", basic, form, "grant_type=client_credentials&scope=ocr.write");
    String bearer = "Bearer " + field(answer, "access_token");

    String json = "application/json";
    String clean = "%PDF-1.4\nstartxref\n0\n%%EOF\n";
    String marked = clean.replace("startxref", "%flinks-sandbox signal=DATE_EDITS page=1\nstartxref");
    answer = call(upload + "upload", bearer, json, "{" + file("january.pdf", clean) + "}");
    String id = "\"AggregationId\": \"" + field(answer, "AggregationId") + "\"";
    call(upload + "upload", bearer, json, "{" + id + ", " + file("february.pdf", marked) + "}");
    String loginId = field(call(upload + "upload/complete", bearer, json, "{" + id + "}"), "Id");

    String api = env("API_URL") + "/v3/" + env("CUSTOMER_ID");
    String secret = "Bearer " + env("API_SECRET");
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    List<String> statuses = List.of();
    while (!statuses.equals(List.of("COMPLETED", "COMPLETED"))) {
      require(System.nanoTime() < deadline, "the analysis is not final: " + answer);
      Thread.sleep(100);
      answer = call(api + "/upload/fraudanalysis/" + loginId, secret, json, null);
      statuses = fields(answer, "Status");
    }
    require(fields(answer, "Type").equals(List.of("DATE_EDITS")), answer);

    String banking = api + "/BankingServices/";
    String body = "{\"LoginId\": \"" + loginId + "\", \"MostRecentCached\": true}";
    String requestId = field(call(banking + "Authorize", secret, json, body), "RequestId");
    body = "{\"RequestId\": \"" + requestId + "\"}";
    answer = call(banking + "GetAccountsDetail", secret, json, body);
    require(!fields(answer, "Balance").isEmpty(), "no transactions: " + answer);
  }

  /** The identity of `client.pfx`, which the guide's C# needs too, and the sandbox's root. */
  static SSLContext mutualTls() throws Exception {
    char[] password = "sandbox".toCharArray();
    Path pfx = Path.of(env("CERT")).resolveSibling("client.pfx");
    KeyStore identity = KeyStore.getInstance(pfx.toFile(), password);
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(identity, password);
    KeyStore roots = KeyStore.getInstance("PKCS12");
    roots.load(null, null);
    try (InputStream pem = new FileInputStream(env("CA"))) {
      roots.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(roots);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }

  /** Sends a POST, or a GET without a body, requires status 200 and returns the body. */
  static String call(String url, String authorization, String type, String body) throws Exception {
    var publisher = body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url))
            .method(body == null ? "GET" : "POST", publisher)
            .header("Authorization", authorization)
            .header("Content-Type", type)
            .timeout(Duration.ofSeconds(20))
            .build();
    var response = client.send(request, BodyHandlers.ofString());
    require(response.statusCode() == 200, url + ": " + response.statusCode() + " " + response.body());
    return response.body();
  }

  static String file(String name, String content) {
    return "\"Files\": [{\"FileName\": \"" + name + "\", \"Content\": \"" + base64(content) + "\"}]";
  }

  static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  static List<String> fields(String json, String name) {
    Pattern pattern = Pattern.compile("\"" + name + "\": *\"?([^\",}]*)");
    return pattern.matcher(json).results().map(found -> found.group(1)).toList();
  }

  static String field(String json, String name) {
    require(!fields(json, name).isEmpty(), "no " + name + ": " + json);
    return fields(json, name).get(0);
  }

  static String env(String name) {
    return System.getenv("FLINKS_" + name);
  }

  static void require(boolean isTrue, String message) {
    if (!isTrue) {
      throw new IllegalStateException(message);
    }
  }
}
