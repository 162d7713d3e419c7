import { greet } from "@acme/greeting";
import { Controller, Get, Injectable, Module } from "@nestjs/common";

@Injectable()
export class AppService {
  hello(): string {
    return greet("nest");
  }
}

@Controller()
export class AppController {
  constructor(private readonly service: AppService) {}

  @Get()
  hello(): string {
    return this.service.hello();
  }
}

@Module({ controllers: [AppController], providers: [AppService] })
export class AppModule {}
